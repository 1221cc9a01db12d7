"""The shop: one page, one button."""

from itertools import count

from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

numbers = count(1)


def count_one_more():
    return next(numbers)


def index(request):
    return render(request, "shop/index.html")


@login_required
@require_POST
def buy(request):
    count_one_more()
    return redirect("shop")
